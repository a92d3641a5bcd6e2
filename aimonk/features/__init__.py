"""From images to vectors: backbones, the engines that run them, and the store that keeps the results."""
