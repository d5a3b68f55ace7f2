"""The answers of several versions of one sample become one answer."""
