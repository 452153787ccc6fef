"""What a run did, as data, and its views: on the terminal, as a web page, as a job summary."""
