"""The lead of the page: what the run says, in sentences made from its numbers, one file for each question."""
