"""What reading and judging costs as records, codes and history grow, on this machine and on a cluster."""
