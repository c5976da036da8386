// Package pictify is as the vendor documents its SDK for Go: what it is made with, and one call. It stands in where
// there is none.
package pictify

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
)

// Client calls the API.
type Client struct{ apiKey, baseURL string }

// Option changes a Client.
type Option func(*Client)

// WithBaseURL is for another API.
func WithBaseURL(url string) Option { return func(c *Client) { c.baseURL = url } }

// NewClient takes the key, and options.
func NewClient(apiKey string, options ...Option) *Client {
	client := &Client{apiKey, "https://api.pictify.io"}
	for _, option := range options {
		option(client)
	}
	return client
}

// RenderHTMLOptions says what to render.
type RenderHTMLOptions struct {
	HTML   string `json:"html"`
	Width  int    `json:"width"`
	Height int    `json:"height"`
}

// ImageResult is what was rendered.
type ImageResult struct{ URL string }

// RenderHTML renders HTML.
func (c *Client) RenderHTML(ctx context.Context, options *RenderHTMLOptions) (*ImageResult, error) {
	body, err := json.Marshal(options)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.baseURL+"/image", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+c.apiKey)
	request.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode >= 400 {
		return nil, fmt.Errorf("the API answers %d", answer.StatusCode)
	}
	image := &ImageResult{}
	return image, json.NewDecoder(answer.Body).Decode(image)
}
