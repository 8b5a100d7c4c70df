"""Export an adapter for people who run models without PEFT: a merged model, and GGUFs of it."""
