"""From a network to hardware, two ways."""
