"""The program: its interpreter, its process, and how it is started and ended."""
