"""An OpenAI-compatible endpoint: asked at its pace, within limits, and paid once."""
