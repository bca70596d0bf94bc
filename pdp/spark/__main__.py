"""`python -m pdp.spark`."""

from pdp.spark.command import main

if __name__ == "__main__":
    main()
