"""What moves a pooled effect: studies left out, subsets, subgroups, dependence, bias of designs."""
