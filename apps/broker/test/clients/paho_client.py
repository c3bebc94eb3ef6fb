"""Connects, subscribes, publishes and prints what comes back: Eclipse Paho, MQTT 3.1.1, over TLS or WebSocket."""

import sys

import paho.mqtt.client as mqtt

transport, port, folder, version = sys.argv[1:5]
arguments = {"client_id": f"paho-{transport}-{version}", "transport": transport}
arguments["protocol"] = mqtt.MQTTv5 if version == "5" else mqtt.MQTTv311
if hasattr(mqtt, "CallbackAPIVersion"):
    arguments["callback_api_version"] = mqtt.CallbackAPIVersion.VERSION1
client = mqtt.Client(**arguments)
client.tls_set(f"{folder}/ca", f"{folder}/cert", f"{folder}/key")
if transport == "websockets":
    client.ws_set_options(path="/mqtt")


def on_connect(client, userdata, flags, code, *properties):
    print("connected", int(getattr(code, "value", code)), flush=True)
    client.subscribe("paho/+", qos=2)


def on_subscribe(client, userdata, identifier, codes, *properties):
    print("subscribed", [int(getattr(code, "value", code)) for code in codes], flush=True)
    client.publish("paho/1", "order", qos=2)


def on_message(client, userdata, message):
    print("message", message.topic, message.payload.decode(), message.qos, flush=True)
    client.disconnect()


client.on_connect = on_connect
client.on_subscribe = on_subscribe
client.on_message = on_message
client.connect("localhost", int(port), keepalive=30)
client.loop_forever()
