"""What is delivered: a service that scores mortgage applications, and the training behind it."""
