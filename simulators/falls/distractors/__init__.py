"""Everything that moves before a facade and is no fall, one file each."""
