"""The commands about modules: calling their functions, listing them, making and changing modules."""
