"""The eligible patients with their missing values filled in."""
