"""Write back to RapidPro what the project learnt of its participants."""
