"""The resolvers: one module a Dagger type; Container, which has most fields, is split by idea."""
