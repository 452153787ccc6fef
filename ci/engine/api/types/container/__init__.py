"""``Container``, which has most fields, by idea."""
