"""A review: studies found and screened, rows made effects, effects pooled, certainty judged."""
