"""What comes from the host and goes to it: files, settings, repositories, downloads, its terminal."""
