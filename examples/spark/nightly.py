"""The nightly job: two tables from the raw ones. It knows nothing of Placet; the listener says what it does."""

from pyspark.sql import SparkSession

SCHEMAS = {
    "customers": "customer_id int, email string, name string, city string",
    "orders": "order_id int, customer_id int, amount decimal(10, 2)",
}

spark = SparkSession.builder.appName("nightly").getOrCreate()
for table, schema in SCHEMAS.items():
    spark.read.csv(f"lake/{table}", schema=schema, header=True).createOrReplaceTempView(table)
spark.sql("""
    SELECT c.email, c.name, c.city, sum(o.amount) AS spent
    FROM customers c JOIN orders o ON c.customer_id = o.customer_id
    GROUP BY c.email, c.name, c.city
""").write.mode("overwrite").parquet("lake/spending")
spark.sql("""
    SELECT sha2(c.email, 256) AS buyer, o.order_id, o.amount
    FROM customers c JOIN orders o ON c.customer_id = o.customer_id
""").write.mode("overwrite").parquet("lake/purchases")
spark.stop()
