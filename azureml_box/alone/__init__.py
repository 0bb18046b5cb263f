"""The emulator without anything around it: certificates, a storage account and a process of its own, from Python."""
