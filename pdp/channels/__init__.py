"""Who is told what and when, and the channels that carry it. Nothing is decided here."""
