"""A whole day of sales and returns, after which our sums must be the programme's."""
