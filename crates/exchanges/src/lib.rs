//! The catalogue of exchanges: which fields their API keys have and how they look
