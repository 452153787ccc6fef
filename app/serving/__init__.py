"""The service: answers over HTTP with a probability, a confidence, reasons and a record of the decision."""
