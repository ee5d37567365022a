"""People at work: grid workers, utilities and the center, in virtual time or against a service."""
