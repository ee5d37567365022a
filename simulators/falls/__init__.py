"""Films of facades before which things fall, or seem to: pictures as honest as we can make them."""
