import { render } from 'preact'
import { watchNetwork } from './api/network.ts'
import { App } from './app.tsx'
import './style/base.css'
import './style/parts.css'
import './style/tables.css'
import { discover } from './wallet/discover.ts'
import { resume } from './wallet/session.ts'

const root = document.getElementById('app')
if (root) render(<App />, root)
watchNetwork()
discover()
resume()
