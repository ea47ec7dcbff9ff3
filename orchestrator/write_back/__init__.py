"""What the person decided, written into the XMP files beside their photos. Only where the person allowed it."""
