"""Text as Dagger's fields see it: lines, differences, patches, variables, documents."""
