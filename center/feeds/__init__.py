"""What other systems read: CAP, Open311, GeoJSON, CSV, and ticket JSON in the shape they want."""
