"""Mathematics without medicine: arrays in, arrays out."""
