"""People check and mend the records: what they decide, in which order, and what that tells."""
