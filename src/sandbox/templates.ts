import type { components } from '../api/openapi.ts'

/** The templates that every sandbox account has. */
export const templates: readonly components['schemas']['Template'][] = [
  {
    id: 'tpl_blogcover01',
    name: 'Blog cover',
    width: 1200,
    height: 630,
    createdAt: '2024-03-11T09:24:10.000Z',
  },
  { id: 'tpl_receipt0001', name: 'Receipt', width: 800, height: 1200, createdAt: '2024-06-02T15:41:55.000Z' },
  {
    id: 'tpl_eventbadge1',
    name: 'Event badge',
    width: 600,
    height: 900,
    createdAt: '2025-01-20T11:08:32.000Z',
  },
]
