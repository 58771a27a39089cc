"""What leaves and enters the zoo: model cards, publishing on the Hub, imports of foreign models."""
