// What container-apps-job.bicep makes in its resource group.
param image string
param environmentId string
param location string
param cronExpression string
param subscriptionId string

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' = {
  name: 'vmdiag'
  location: location
}

resource job 'Microsoft.App/jobs@2024-03-01' = {
  name: 'vmdiag'
  location: location
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identity.id}': {}
    }
  }
  properties: {
    environmentId: environmentId
    configuration: {
      triggerType: 'Schedule'
      scheduleTriggerConfig: {
        cronExpression: cronExpression
        parallelism: 1
        replicaCompletionCount: 1
      }
      replicaTimeout: 1200
      // A run that ends with 1 has found an affected VM: to run it again would find it again.
      replicaRetryLimit: 0
    }
    template: {
      containers: [
        {
          name: 'vmdiag'
          image: image
          args: ['check', '--all', '--since', '2d', '--quiet', '--credential', 'managed', '--output', 'ndjson']
          env: [
            { name: 'AZURE_CLIENT_ID', value: identity.properties.clientId }
            { name: 'AZURE_SUBSCRIPTION_ID', value: subscriptionId }
          ]
          resources: { cpu: json('0.5'), memory: '1Gi' }
        }
      ]
    }
  }
}

output principalId string = identity.properties.principalId
