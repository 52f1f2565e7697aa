"""Read tables that strangers made, row by row and within limits: xlsx, ods, csv; and write xlsx."""
