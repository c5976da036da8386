// Rules of this file:
// - no snippet has a key in it: each takes it from the environment, or from what fills the environment;
// - what comes from outside (a URL, an id) is put in only in a form that ends no string and begins no line;
// - the names of the SDKs and of their parameters are the vendor's.

export const snippetKinds = ['node', 'python', 'go', 'ruby', 'curl', 'dotenv', 'docker', 'k8s'] as const
export type SnippetKind = (typeof snippetKinds)[number]

/** As the commands that have it declare `--snippet`. */
export const snippetFlag = {
  type: 'choice',
  choices: snippetKinds,
  summary: 'print how an application is given the key, from its environment',
} as const

export interface Snippet {
  for: SnippetKind
  text: string
}

export interface SnippetFacts {
  /** The API where it is not the one the SDKs know. */
  apiUrl: string | undefined
  keyId: string | undefined
}

/** How an application is given its key, ready to be pasted. */
export function createSnippet(kind: SnippetKind, facts: SnippetFacts): Snippet {
  const apiUrl = facts.apiUrl === undefined ? undefined : quotable(facts.apiUrl)
  const key = facts.keyId !== undefined && /^[\w-]+$/.test(facts.keyId) ? facts.keyId : '<key>'
  return { for: kind, text: texts[kind](apiUrl, key) }
}

/** A URL that stands in single and in double quotes of every language here. */
function quotable(url: string): string {
  return new URL(url).href.replace(/\/$/, '').replace(/['"$`\\#{}]/g, (character) => {
    return `%${character.charCodeAt(0).toString(16).toUpperCase()}`
  })
}

const texts: Record<SnippetKind, (apiUrl: string | undefined, key: string) => string> = {
  node: (apiUrl) => `// app.mjs, after: npm install @pictify/sdk
import { Pictify } from '@pictify/sdk'

const apiKey = process.env.PICTIFY_API_KEY
if (!apiKey) throw new Error('PICTIFY_API_KEY is not set')

const pictify = new Pictify({ apiKey${apiUrl === undefined ? '' : `, baseUrl: '${apiUrl}'`} })
const image = await pictify.renderHtml({ html: '<h1>Hello</h1>', width: 1200, height: 630 })
console.log(image.url)`,

  python: (apiUrl) => `# app.py, after: pip install pictify
import os

from pictify import Pictify

client = Pictify(api_key=os.environ["PICTIFY_API_KEY"]${apiUrl === undefined ? '' : `, base_url="${apiUrl}"`})
image = client.render_html(html="<h1>Hello</h1>", width=1200, height=630)
print(image.url)`,

  go: (apiUrl) => `// main.go, after: go get github.com/pictify-io/pictify-go
package main

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/pictify-io/pictify-go"
)

func main() {
	apiKey := os.Getenv("PICTIFY_API_KEY")
	if apiKey == "" {
		log.Fatal("PICTIFY_API_KEY is not set")
	}
	client := pictify.NewClient(apiKey${apiUrl === undefined ? '' : `, pictify.WithBaseURL("${apiUrl}")`})
	image, err := client.RenderHTML(context.Background(), &pictify.RenderHTMLOptions{
		HTML:   "<h1>Hello</h1>",
		Width:  1200,
		Height: 630,
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(image.URL)
}`,

  ruby: (apiUrl) => `# app.rb, after: gem install pictify
require "pictify"

client = Pictify::Client.new(api_key: ENV.fetch("PICTIFY_API_KEY")${apiUrl === undefined ? '' : `, base_url: "${apiUrl}"`})
image = client.render_html(html: "<h1>Hello</h1>", width: 1200, height: 630)
puts image.url`,

  // a header among the arguments could be read by everybody on the machine
  curl: (
    apiUrl = 'https://api.pictify.io',
  ) => `# the key goes to curl on its standard input, where nobody else can read it
printf 'header = "Authorization: Bearer %s"\\n' "\${PICTIFY_API_KEY:?is not set}" |
  curl --config - --silent --show-error --fail \\
    --header 'Content-Type: application/json' \\
    --data '{"html":"<h1>Hello</h1>","width":1200,"height":630}' \\
    '${apiUrl}/image'`,

  dotenv: (_, key) => `# .env: keep it out of version control (a line .env in .gitignore)
# put the secret behind the =, or have it done: pictify-keys rotate ${key} --to env:.env#PICTIFY_API_KEY
PICTIFY_API_KEY=`,

  docker: (_, key) => `# compose.yaml: the key comes from the environment that docker compose is run in,
# or from the .env beside this file: pictify-keys rotate ${key} --to env:.env#PICTIFY_API_KEY
services:
  app:
    image: your-image
    environment:
      PICTIFY_API_KEY: \${PICTIFY_API_KEY:?is not set}`,

  k8s: (_, key) => `# deployment.yaml: the key comes from the Secret pictify, which this fills:
# pictify-keys rotate ${key} --to k8s:default/pictify#api-key --create-target
apiVersion: apps/v1
kind: Deployment
metadata:
  name: app
spec:
  selector:
    matchLabels:
      app: app
  template:
    metadata:
      labels:
        app: app
    spec:
      containers:
        - name: app
          image: your-image
          env:
            - name: PICTIFY_API_KEY
              valueFrom:
                secretKeyRef:
                  name: pictify
                  key: api-key`,
}
