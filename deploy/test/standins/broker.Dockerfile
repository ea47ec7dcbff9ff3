# Debian's RabbitMQ 3.10 where Compose takes the official image of RabbitMQ 4: the same queues, the same configuration.
ARG BASE
FROM ${BASE}
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends rabbitmq-server \
    && rabbitmq-plugins --offline enable rabbitmq_management rabbitmq_prometheus
COPY broker-entrypoint.sh /usr/local/bin/docker-entrypoint.sh
ENTRYPOINT ["sh", "/usr/local/bin/docker-entrypoint.sh"]
CMD ["rabbitmq-server"]
