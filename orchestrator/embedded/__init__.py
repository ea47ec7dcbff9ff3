"""The PostgreSQL and the RabbitMQ that `keepers up` owns, and `keepers up` itself."""
