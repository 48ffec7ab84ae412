/* SPDX-License-Identifier: MIT */
#include "inbox.h"

#include "macro.h"
#include "parcel.h"
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
    sd_bus_message *message; /* NULL: it came by the lane */
    Parcel *parcel;
    unsigned n_losses; /* of mains, when it came */
} Incoming;

static void incoming_deliver(ipc_renderer *renderer, Delivery *delivery, bool is_wanted)
{
    Incoming *incoming = CONTAINER_OF(delivery, Incoming, delivery);

    if (is_wanted && incoming->message)
        receive_signal(renderer, incoming->message, incoming->n_losses);
    else if (is_wanted)
        receive_packet(renderer, &incoming->parcel->packet, incoming->n_losses);
    sd_bus_message_unref(incoming->message);
    parcel_free(incoming->parcel);
    free(incoming);
}

static Incoming *incoming_new(ipc_renderer *renderer)
{
    Incoming *incoming;

    incoming = calloc(1, sizeof(*incoming));
    if (incoming)
        incoming->n_losses = renderer->n_losses;
    else
        receive_warn(renderer, "A message was lost: out of memory");
    return incoming;
}

void inbox_push_message(ipc_renderer *renderer, sd_bus_message *message)
{
    Incoming *incoming = incoming_new(renderer);

    if (!incoming)
        return;
    incoming->message = sd_bus_message_ref(message);
    inbox_push(&renderer->inbox, &incoming->delivery, incoming_deliver);
}

void inbox_push_packet(ipc_renderer *renderer, Packet *packet)
{
    Incoming *incoming = incoming_new(renderer);

    if (!incoming)
        return;
    if (parcel_take(packet, &incoming->parcel) < 0) {
        free(incoming);
        receive_warn(renderer, "A message was lost: out of memory");
        return;
    }
    inbox_push(&renderer->inbox, &incoming->delivery, incoming_deliver);
}
