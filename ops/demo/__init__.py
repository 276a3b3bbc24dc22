"""The whole pipeline on real input, every figure checked: `hfts demo`."""
