namespace McpSm.Samples;

/// <summary>The servers of an organisation that its identity provider knows.</summary>
public sealed class Organisation
{
    /// <summary>The only user, the <c>sub</c> of every ID token.</summary>
    public const string Person = "U-0001";

    private readonly Lock _gate = new();
    private readonly List<OrganisationServer> _servers = [];

    public TimeSpan IdTokenLifetime { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Allows users of the organisation to use a server. Can be called while the identity provider runs.</summary>
    public void Add(OrganisationServer server)
    {
        lock (_gate)
        {
            _servers.Add(server);
        }
    }

    internal OrganisationServer? Find(string issuer, string resource)
    {
        lock (_gate)
        {
            return _servers.Find(s => s.Issuer == issuer && s.Resource == resource);
        }
    }
}
