"""Raw runs -> one record per message: join, key names, time ranges, filters. Pure."""
