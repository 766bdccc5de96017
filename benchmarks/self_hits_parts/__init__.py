"""How well hitting oneself is told when one way of making it is left out of training."""
