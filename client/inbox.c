/* SPDX-License-Identifier: MIT */
#include "inbox.h"

#include "macro.h"
#include "receiving.h"
#include "renderer.h"

void inbox_init(Inbox *inbox)
{
    TAILQ_INIT(&inbox->deliveries);
}

bool inbox_is_empty(const Inbox *inbox)
{
    return TAILQ_EMPTY(&inbox->deliveries);
}

void inbox_push(Inbox *inbox, Delivery *delivery, DeliveryRun run)
{
    delivery->run = run;
    TAILQ_INSERT_TAIL(&inbox->deliveries, delivery, link);
}

void inbox_remove(Inbox *inbox, Delivery *delivery)
{
    TAILQ_REMOVE(&inbox->deliveries, delivery, link);
}

static void inbox_run_first(ipc_renderer *renderer, bool is_wanted)
{
    Delivery *delivery = TAILQ_FIRST(&renderer->inbox.deliveries);

    inbox_remove(&renderer->inbox, delivery);
    delivery->run(renderer, delivery, is_wanted);
}

void inbox_deliver(ipc_renderer *renderer)
{
    inbox_run_first(renderer, true);
}

void inbox_drop(ipc_renderer *renderer)
{
    while (!inbox_is_empty(&renderer->inbox))
        inbox_run_first(renderer, false);
}

typedef struct Incoming {
    Delivery delivery;
    sd_bus_message *message;
} Incoming;

static void incoming_deliver(ipc_renderer *renderer, Delivery *delivery, bool is_wanted)
{
    Incoming *incoming = CONTAINER_OF(delivery, Incoming, delivery);

    if (is_wanted)
        receive_signal(renderer, incoming->message);
    sd_bus_message_unref(incoming->message);
    free(incoming);
}

void inbox_push_message(ipc_renderer *renderer, sd_bus_message *message)
{
    Incoming *incoming;

    incoming = calloc(1, sizeof(*incoming));
    if (!incoming) {
        receive_warn(renderer, "A message was lost: out of memory");
        return;
    }
    incoming->message = sd_bus_message_ref(message);
    inbox_push(&renderer->inbox, &incoming->delivery, incoming_deliver);
}
