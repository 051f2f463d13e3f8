"""Network files of Keras, read without running anything of them."""
