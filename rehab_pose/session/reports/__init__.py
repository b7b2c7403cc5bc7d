"""Pages for people about sessions: a report for each, and the trend of a person over all."""
