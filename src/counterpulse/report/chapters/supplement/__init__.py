"""What lets others check the study: reviewers, choices, digests, data protection, checklists."""
