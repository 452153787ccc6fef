"""What commands print for people: help, tables, and text that is set off."""
