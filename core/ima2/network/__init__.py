"""The one door to the network: clients, proxies, certificates, and which addresses are this machine's own."""
