using McpSm.Core.Errors;

namespace McpSm.Core.Probing;

/// <summary>Ends a connection when its responses together exceed a limit, because a server could send endless data (rule 30 of docs/rules.md).</summary>
internal sealed class ResponseSizeLimitHandler(HttpMessageHandler inner) : DelegatingHandler(inner)
{
    /// <summary>The limit in bytes. The largest known tool lists have a tenth of this size.</summary>
    public const long SizeLimit = 32 * 1024 * 1024;

    private long _read;

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var response = await base.SendAsync(request, cancellationToken).ConfigureAwait(false);
        var body = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        var bounded = new StreamContent(new CountedStream(body, this));
        foreach (var (name, values) in response.Content.Headers)
        {
            bounded.Headers.TryAddWithoutValidation(name, values);
        }
        response.Content = bounded;
        return response;
    }

    private int Count(int read) => Interlocked.Add(ref _read, read) <= SizeLimit ? read
        : throw new McpAuthException(ErrorReason.ProtocolViolation, $"The server answered with more than {SizeLimit / 1024 / 1024} MiB.");

    private sealed class CountedStream(Stream inner, ResponseSizeLimitHandler owner) : Stream
    {
        public override bool CanRead => true;
        public override bool CanSeek => false;
        public override bool CanWrite => false;
        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override int Read(byte[] buffer, int offset, int count) => owner.Count(inner.Read(buffer, offset, count));

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            owner.Count(await inner.ReadAsync(buffer, cancellationToken).ConfigureAwait(false));

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override void Flush() => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                inner.Dispose();
            }
            base.Dispose(disposing);
        }
    }
}
