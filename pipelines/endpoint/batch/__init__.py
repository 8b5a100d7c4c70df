"""The provider's Batch API: half the price, up to a day."""
